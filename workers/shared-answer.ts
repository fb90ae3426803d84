/**
 * One answer for all who ask while it is being made: a hundred scrapes at once cost what one costs. Rejects with `late()`
 * after `limitMs`; who asks after that is answered afresh, so that one question that hangs holds up no other.
 */
export function shareAnswer<T>(make: () => Promise<T>, limitMs: number, late: () => Error): () => Promise<T> {
  let underWay: Promise<T> | null = null;
  return async () => {
    underWay ??= limited(make, limitMs, late).finally(() => (underWay = null));
    return await underWay;
  };
}

async function limited<T>(make: () => Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), limitMs);
  try {
    return await Promise.race([make(), promise]);
  } finally {
    clearTimeout(timer);
  }
}
