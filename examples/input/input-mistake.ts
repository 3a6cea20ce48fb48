/** Something wrong with what the person gave us (an argument, a file, a line of it); its message is all they need. */
export class InputMistake extends Error {
  override name = 'InputMistake'
}
