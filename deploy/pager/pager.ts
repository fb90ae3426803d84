import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { prettifyError, ZodError } from "zod";
import { type Page, pagesOf } from "./page.ts";
import { PageBook, type ToldPage } from "./page-book.ts";
import { pagesHtml } from "./pages-html.ts";

export interface PagerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly now?: () => number;
  /** Called with each page that says something new. */
  readonly onTold?: (page: ToldPage) => void;
}

/** Of a notification, in bytes. Alertmanager's largest are some tens of kB. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Stands in for whoever calls people: Alertmanager posts to it, `/` shows what was told, `/pages` says it as JSON. */
export class Pager implements AsyncDisposable {
  readonly #server: Server;
  readonly #book: PageBook;
  readonly #onTold: (page: ToldPage) => void;

  private constructor({ now = Date.now, onTold = () => {} }: PagerOptions) {
    this.#book = new PageBook(now);
    this.#onTold = onTold;
    this.#server = createServer((request, response) => {
      // A caller that went away needs no answer.
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** Rejects where it cannot listen there. */
  static async listen(options: PagerOptions): Promise<Pager> {
    const pager = new Pager(options);
    pager.#server.listen(options.port, options.host);
    await once(pager.#server, "listening");
    return pager;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}/`;
  }

  /** Oldest first. */
  get pages(): readonly ToldPage[] {
    return this.#book.pages;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (`${request.method} ${request.url}`) {
      case "GET /":
        return send(response, 200, "text/html", pagesHtml(this.pages));
      case "GET /pages":
        return send(response, 200, "application/json", `${JSON.stringify(this.pages)}\n`);
      case "POST /": {
        const heard = readPages(await bodyOf(request));
        if (typeof heard === "string") return send(response, 400, "text/plain", `${heard}\n`);
        for (const page of this.#book.take(heard)) this.#onTold(page);
        return send(response, 200, "text/plain", "");
      }
      default:
        return send(response, 404, "text/plain", "GET / and /pages, and POST / of Alertmanager's webhook\n");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A text says what is wrong with it. */
function readPages(body: string | null): Page[] | string {
  if (body === null) return `more than ${MOST_BYTES} bytes`;
  try {
    return pagesOf(JSON.parse(body));
  } catch (error) {
    if (error instanceof SyntaxError) return "the body is not JSON";
    if (error instanceof ZodError) return prettifyError(error);
    throw error;
  }
}

/** Null: it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk);
  }
  return bytes <= MOST_BYTES ? Buffer.concat(chunks).toString("utf8") : null;
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(text);
}
