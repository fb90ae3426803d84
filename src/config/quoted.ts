/** Characters that a shell takes off and a file of variables, or a secret's file, often keeps. */
const QUOTES = /^["'`\u2018-\u201f]|["'`\u2018-\u201f]$/;

/** Whether a setting's text begins or ends with a quotation mark, which no setting does. */
export function isQuoted(text: string): boolean {
  return QUOTES.test(text);
}

/** The name and never the value. */
export function quotedWarning(name: string): string {
  return `${name} begins or ends with a quotation mark, which is taken as a part of it: write the value without quotation marks`;
}

/** Behind a complaint about such a value. */
export const QUOTED_HINT = "; it begins or ends with a quotation mark: write it without";
