// Loaded before npm. With --allow-remote=none npm 11 refuses to open the registry's own archive of a package that brings
// others in it, or a shrinkwrap: it hands the archive's URL on as if somebody had depended on that (where it unpacks, it
// makes this exception itself). What packages do depend on was judged before, so only the registry's archives pass.
const pacote = require('/npm/node_modules/pacote')
const extract = pacote.extract
pacote.extract = (spec, folder, options) => {
  const registry = `${String(options?.registry ?? '').replace(/\/+$/, '')}/`
  const isOwn = typeof spec === 'string' && spec === options?.resolved && registry !== '/' && spec.startsWith(registry)
  return extract(spec, folder, isOwn ? { ...options, allowRemote: 'all' } : options)
}
