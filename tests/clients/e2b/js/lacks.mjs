// What a version of the client has not, or does in another way, whoever answers it.
const OF_1_0_5 = {
  'many are written at once': 'it writes one at a time',
  'folders are made, listed, moved, removed': 'it lists no folders below',
  'an entry is told of, and in a list': 'it asks for no entry',
  'it is told of, given time and connected to': 'it asks for no sandbox',
  'they are listed by what was attached and by state': 'it lists all, in no pages',
  'lists come in pages, the newest first': 'it lists all, in no pages',
  'its time is shortened and never by connecting': 'it asks for no sandbox',
  'one that was killed is gone': 'it connects without a question',
  'metrics are of now': 'it asks for none',
  'folders below are watched where asked': 'it watches no folders below',
}

/** Why a check is not for this version; undefined: it is. */
export const lacks = (version, name) => (version === '1.0.5' ? OF_1_0_5[name] : undefined)
