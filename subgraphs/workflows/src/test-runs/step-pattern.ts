/**
 * Whether a text fits a pattern, in which `*` stands for any characters, none included, and everything else for itself.
 * Takes time of the order of the product of the two lengths at most.
 */
export function fitsPattern(pattern: string, text: string): boolean {
  let at = 0
  let read = 0
  let star = -1
  let resumed = 0
  while (read < text.length) {
    if (pattern[at] === '*') {
      star = at
      at += 1
      resumed = read
    } else if (at < pattern.length && pattern[at] === text[read]) {
      at += 1
      read += 1
    } else if (star >= 0) {
      // The last star takes one more.
      resumed += 1
      read = resumed
      at = star + 1
    } else return false
  }
  while (pattern[at] === '*') at += 1
  return at === pattern.length
}
