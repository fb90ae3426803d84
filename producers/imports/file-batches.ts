import type { BatchRow } from "../../src/batches/batch-row.ts";
import type { BatchView } from "../../src/batches/batch.ts";
import { BadRows, BadRowsError } from "../batches/bad-rows.ts";
import { Batches, type BatchesDeps, type SubmitBatchOptions } from "../batches/batches.ts";
import { batchTerms } from "../batches/batch-terms.ts";
import { batchRow } from "../rows/row-checks.ts";
import { BadRowsFile } from "./bad-rows-file.ts";
import { checkFile, type FileCheck } from "./check-file.ts";
import { parseMap } from "./column-plan.ts";
import { ImportFile, maskedColumns } from "./import-file.ts";
import { importTarget } from "./import-target.ts";
import { type FileSource, openTable } from "./open-table.ts";

export interface FileBatchesDeps extends BatchesDeps {
  /** Where much of what streams in is kept, sealed, until it was read twice. */
  readonly tmpDir: string;
}

export type SubmitFileOptions = SubmitBatchOptions & FileWishes;

interface FileWishes {
  /** What a column is that its name does not say: column → field, `{ "Mobile No": "mobile" }`. */
  readonly map?: Readonly<Record<string, string>>;
  /** The column that holds each row's own reference. Default: one named `ref`, if there is any. */
  readonly ref?: string;
  /** Bad rows that `skipBad` leaves out are written to a file beside this one as well, ready to mend. Default false. */
  readonly badFile?: boolean;
  /** What errors call a stream. Default `the stream`. */
  readonly called?: string;
  /** Told of the rows that were looked at so far, now and then, before any is accepted. */
  readonly onChecking?: (rows: number) => void;
  /** Told what the file came to, before its first row is accepted. */
  readonly onChecked?: (check: FileCheck) => void;
}

/** A batch that came from a file. */
export interface FileBatchView extends BatchView {
  /** The file of the bad rows that were left out; null: none was, or none was wanted. It holds persons' numbers. */
  readonly bad_file: string | null;
}

/** Rows of a file are bad, or none is good; none was accepted. */
export class BadFileError extends BadRowsError {
  readonly check: FileCheck;

  constructor(check: FileCheck, { problems, count }: BadRowsError) {
    super(problems, count, check.rows, check.name);
    this.check = check;
  }
}

/** Batches, and the files that they are made of. */
export class FileBatches extends Batches {
  readonly #deps: FileBatchesDeps;

  constructor(deps: FileBatchesDeps) {
    super(deps);
    this.#deps = deps;
  }

  /**
   * Checks every row of a file, and takes them in as one batch: all or none. CSV or NDJSON, within gzip too, by the name's ending, or a
   * stream's by how it begins; it is read twice, in little memory. The batch, marked `duplicate` where the same was submitted before.
   * Throws BadFileError that names bad rows, SatyapanError `bad-file`, `bad-input`, `id-conflict`, `interrupted`.
   */
  async submitFile(source: FileSource, options: SubmitFileOptions): Promise<FileBatchView> {
    const { map = {}, ref = null, skipBad = false, called = "the stream", onChecking, onChecked } = options;
    const { settings, actor, tmpDir } = this.#deps;
    const signal = options.signal ?? new AbortController().signal;
    batchTerms(options, actor);
    await using stack = new AsyncDisposableStack();
    const target = importTarget(options);
    const wishes = { map: parseMap(Object.entries(map), target), ref };
    const opened = await openTable(source, { called, tmpDir, signal }, stack);
    const file = new ImportFile({ ...opened, target, wishes, settings, now: actor.now() });
    const badRows = new BadRows();
    const check = await checkFile(file, { signal, onRows: onChecking, onBad: (row) => badRows.add(row) });
    if (check.bad > 0 && (!skipBad || check.good === 0)) throw new BadFileError(check, badRows.error(check.rows));
    onChecked?.(check);
    const isKept = check.bad > 0 && options.badFile === true;
    const bad = isKept ? stack.use(await BadRowsFile.create(typeof source === "string" ? source : null)) : null;
    const view = await this.submitChecked(batchRows(file, bad), options);
    bad?.keep();
    return { ...view, bad_file: bad?.path ?? null };
  }
}

/** Bad rows are on the disk before the last row is taken in: what is accepted never lacks them. */
async function* batchRows(file: ImportFile, bad: BadRowsFile | null): AsyncGenerator<BatchRow> {
  for await (const row of file.rows()) {
    if (row.state === "skipped") await bad?.add(row);
    yield batchRow(row, maskedColumns(row));
  }
  await bad?.flush();
}
