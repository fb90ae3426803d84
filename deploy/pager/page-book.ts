import type { Page } from "./page.ts";

export interface ToldPage extends Page {
  /** When it was told first, and when it was told to be over; ms since the epoch. */
  readonly toldAt: number;
  readonly overAt: number | null;
}

/** How many are remembered; the oldest go first. */
const MOST = 500;

/** What was told, each firing once, oldest first. It is gone with the process: Alertmanager tells again what still fires. */
export class PageBook {
  readonly #pages = new Map<string, ToldPage>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get pages(): readonly ToldPage[] {
    return [...this.#pages.values()];
  }

  /** Those that say something new. */
  take(pages: readonly Page[]): ToldPage[] {
    return pages.flatMap((page) => {
      const known = this.#pages.get(page.key);
      if (known?.status === page.status) return [];
      const now = this.#now();
      const told = { ...page, toldAt: known?.toldAt ?? now, overAt: page.status === "resolved" ? now : null };
      this.#pages.set(page.key, told);
      const [oldest = ""] = this.#pages.keys();
      if (this.#pages.size > MOST) this.#pages.delete(oldest);
      return [told];
    });
  }
}
