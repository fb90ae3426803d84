import { z } from "zod";
import type { TextSchema } from "./text.ts";

/** The variables a process was started with; handed to whoever needs one, never looked up elsewhere. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Told what is wrong with a setting: a line that begins with its name and never repeats a secret. */
export type Complain = (problem: string) => void;

/** A setting as the documentation and `satyapan doctor` show it. */
export interface Setting {
  readonly name: string;
  /** The default as one would write it; null where there is none. */
  readonly default: string | null;
  /** Never shown, in no message. */
  readonly secret: boolean;
  /** Whether it is also taken from the file that `NAME_FILE` names: all secrets, and what is long or of several lines. */
  readonly file: boolean;
  /** What it accepts: `duration, 1ms to 10m`. */
  readonly takes: string;
  /** One or two sentences in Markdown. */
  readonly meaning: string;
}

/** What some settings' texts become, by their names; `undefined` where one is unset and has no default. */
export type ValuesOf<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

type About = Omit<Setting, "name">;
type Told = Pick<About, "meaning"> & Partial<Pick<About, "secret" | "file">>;

const ABOUT = z.registry<About>();

/** A setting that counts as `text` where it is not given. */
export function withDefault<T>(schema: TextSchema<T>, text: string, told: Told) {
  return schema.prefault(text).register(ABOUT, about(schema, text, told));
}

export function withoutDefault<T>(schema: TextSchema<T>, told: Told) {
  return schema.optional().register(ABOUT, about(schema, null, told));
}

/** What the two above were told of the setting `name`. */
export function aboutSetting(name: string, schema: z.ZodType): Setting {
  const found = ABOUT.get(schema);
  if (found === undefined) throw new TypeError(`the setting ${name} is not described`);
  return { name, ...found };
}

function about<T>(schema: TextSchema<T>, text: string | null, told: Told): About {
  const { meaning, secret = false, file = secret } = told;
  return { default: text, secret, file, takes: schema.description ?? "", meaning };
}
