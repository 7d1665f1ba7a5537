// What listens in a sandbox, reached by getHost.
import assert from 'node:assert/strict'

export const checks = {
  async 'what listens on a port is reached'(sandbox) {
    if (!process.env.E2B_DOMAIN) return 'skipped: ports are reached by names, which need a domain'
    await sandbox.commands.run('echo -n hello > /tmp/page; python3 -m http.server 8000 --bind 127.0.0.1 --directory /tmp', { background: true })
    const headers = sandbox.trafficAccessToken ? { 'E2B-Traffic-Access-Token': sandbox.trafficAccessToken } : {}
    const ask = () => fetch(`https://${sandbox.getHost(8000)}/page`, { headers })
    let answer = await ask()
    for (const end = Date.now() + 30_000; answer.status === 502 && Date.now() < end; answer = await ask()) {
      assert.match((await answer.json()).message, /port is not open/)
      await new Promise((next) => setTimeout(next, 100))
    }
    assert.equal(await answer.text(), 'hello')
  },
}
