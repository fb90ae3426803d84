import { LuaPart } from "../../redis/lua-source.ts";
import { ARCHIVED_STATES, SLICE_LENGTH } from "../archive.ts";

/** Records at rest that share a hash. */
export const ARCHIVE = new LuaPart(new URL("archive.lua", import.meta.url), {
  constants: {
    SLICE: SLICE_LENGTH,
    // With records of 200 bytes 25 KB, which Redis keeps in one piece of memory and goes through in some microseconds.
    ARCHIVE_FULL: 128,
    // 1 h: so much longer than it should a record may be kept.
    SOON_MS: 3_600_000,
    AT_REST: ARCHIVED_STATES,
  },
});
