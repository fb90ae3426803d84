/** Whose part a job or an onboarding may be: an onboarding's step, a batch's row; `challenge`: a code came before its send had settled. */
export const PARENT_KINDS = { onboarding: "o", batch: "b", challenge: "c" } as const;
export type ParentKind = (typeof PARENT_KINDS)[keyof typeof PARENT_KINDS];

/** `of`: id of the onboarding or batch; `part`: the step or row in it. Neither has a blank or a colon. */
export interface ParentRef {
  readonly kind: ParentKind;
  readonly of: string;
  readonly part: string;
}

const FORM = /^([obc]):([A-Za-z0-9._-]{1,64}):([A-Za-z0-9._-]{1,64})$/;

/** One word, `o:ONBOARDING:STEP` or `b:BATCH:ROW`. Throws TypeError for what could not be read again. */
export function packParent({ kind, of, part }: ParentRef): string {
  const text = `${kind}:${of}:${part}`;
  if (!FORM.test(text)) throw new TypeError("a parent has an id and a part of A-Z a-z 0-9 . _ -");
  return text;
}

/** Null for what `packParent` did not write. */
export function parseParent(text: string): ParentRef | null {
  const [, kind, of = "", part = ""] = FORM.exec(text) ?? [];
  return kind === undefined ? null : { kind: kind as ParentKind, of, part };
}
