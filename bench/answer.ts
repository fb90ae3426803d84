/** One question to a process of the bench, over its IPC channel. */
export interface Question {
  readonly n: number;
  readonly name: string;
  readonly argument: unknown;
}

export type Answer = { readonly n: number; readonly value: unknown } | { readonly n: number; readonly error: string };

/** Answers the questions of the bench (`child.ts`), and ends this process when the bench is gone. */
export function answerQuestions(answers: Readonly<Record<string, (argument: unknown) => unknown>>): void {
  process.on("message", (message) => {
    const { n, name, argument } = message as Question;
    void (async () => await answers[name]?.(argument))().then(
      (value) => process.send?.({ n, value } satisfies Answer),
      (error: unknown) => process.send?.({ n, error: String(error) } satisfies Answer),
    );
  });
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
