// Questions that the policy answers in the very decision that hears them, each by a number.

export interface Questions<T> {
  /** @param put tells the policy the question of that number */
  ask(put: (id: number) => void): T | undefined
  answered(id: number, answer: T): void
}

export function createQuestions<T>(): Questions<T> {
  const answers = new Map<number, T | undefined>()
  let lastId = 0
  return {
    ask(put) {
      lastId += 1
      const id = lastId
      answers.set(id, undefined)
      put(id)
      const answer = answers.get(id)
      answers.delete(id)
      return answer
    },
    answered(id, answer) {
      if (answers.has(id)) answers.set(id, answer)
    },
  }
}
