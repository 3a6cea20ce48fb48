import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandProblem } from './command-problem.ts'

test.each([
  ['nothing unless it is listed', '', 'node', ['x.js'], false],
  ['a whole line', 'node /srv/x.js', 'node', ['/srv/x.js'], true],
  ['no other arguments', 'node /srv/x.js', 'node', ['-e', 'evil()'], false],
  ['no further arguments', 'node /srv/x.js', 'node', ['/srv/x.js', '--inspect'], false],
  ['no fewer arguments', 'node /srv/x.js', 'node', [], false],
  ['further ones where the line ends with *', 'node /srv/x.js *', 'node', ['/srv/x.js', '--fast'], true],
  ['none as well', 'node /srv/x.js *', 'node', ['/srv/x.js'], true],
  ['not what only begins so', 'uvx weather *', 'uvx', ['weather-2'], false],
  ['one of several lines', ' uvx weather ; tool ', 'tool', [], true],
  ['no words joined into one', 'node a b', 'node', ['a b'], false],
  ['no empty command', ';;', '', [], false],
  ['not everything by a lone *', '*', 'sh', ['-c', 'x'], false],
])('%s', (_, allowed, command, args, yes) => {
  expect(commandProblem(command, args, allowed) === undefined).toBe(yes)
})

test('without *, what is allowed is exactly what is listed', () => {
  const word = fc.stringMatching(/^[a-z/.-]{1,8}$/)
  const line = fc.array(word, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), line, (lines, asked) => {
      const [command = '', ...args] = asked
      const listed = lines.some((each) => each.join('\n') === asked.join('\n'))
      expect(commandProblem(command, args, lines.map((each) => each.join(' ')).join(';')) === undefined).toBe(
        listed,
      )
    }),
  )
})
