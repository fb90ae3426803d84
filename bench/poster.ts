import { Pool } from "undici";
import { CALL, HEADERS, type Place, type PlainJob } from "./side.ts";

/** The least that posts a job's body and reads the reply. */
export class Poster {
  readonly #pool: Pool;

  constructor({ origin, concurrency }: Place) {
    this.#pool = new Pool(origin, { connections: concurrency });
  }

  async post({ body: text }: PlainJob): Promise<void> {
    const { body } = await this.#pool.request({ method: "POST", path: CALL.path, headers: HEADERS, body: text });
    await body.text();
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
