/**
 * How much later than its permit a call may arrive, in ms. A permit is entered with the last moment at which its call may
 * arrive, and one that is not used by then is given up for a fresh one, so that no window is exceeded as the provider
 * counts it.
 */
export const QUOTA_MARGIN_MS = 15;
/** The same while there is room: a new connection, or a busy process, may take longer without costing a second permit. */
export const LOOSE_MARGIN_MS = 100;
/** The time before a window has room at which its next job is taken, and waits with its permit: fetching it costs no quota. In ms. */
export const AHEAD_MS = 20;
