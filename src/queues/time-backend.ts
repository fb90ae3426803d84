import { type BackendFactory, createRedisBackend, type RedisQueueBackend } from "bullmq";
import type { RedisClock } from "../redis/clock.ts";

/** Where in a script's keys and arguments BullMQ puts its own `Date.now()`, counted from 0 (bullmq 6.7). */
const TIMESTAMP_AT: Readonly<Record<string, number>> = {
  moveToActive: 12,
  moveToDelayed: 12,
  moveToFinished: 15,
  retryJob: 12,
};
/** The place in a fetch's answer that says when the next delayed job is due, in ms. */
const DELAYED_UNTIL = 3;

/**
 * BullMQ's scripts promote delayed jobs by the clock of the process that calls them, and its workers sleep until then by
 * theirs: one that is ahead takes jobs too early, again and again, and one that is behind too late. Here the scripts get Redis'
 * time, and the worker hears of due times by its own.
 */
export function redisTimeBackend(clock: RedisClock): BackendFactory<RedisQueueBackend> {
  return (name, opts, options) => {
    const backend = createRedisBackend(name, opts, options);
    const run = backend.execCommand.bind(backend);
    backend.execCommand = (client, command, args: unknown[]): unknown => {
      const at = TIMESTAMP_AT[command];
      return run(client, command, at === undefined ? args : args.with(at, clock.now()));
    };
    const moveToActive = backend.moveToActive.bind(backend);
    const moveToFinished = backend.moveToFinished.bind(backend);
    const moveToDelayed = backend.moveToDelayed.bind(backend);
    const waitForJob = backend.waitForJob.bind(backend);
    backend.moveToActive = async (...args) => ownTime(clock, await moveToActive(...args));
    backend.moveToFinished = async (...args) => ownTime(clock, await moveToFinished(...args));
    backend.moveToDelayed = async (...args) => {
      const next = await moveToDelayed(...args);
      return Array.isArray(next) ? ownTime(clock, next) : next;
    };
    backend.waitForJob = async (timeout) => {
      const marker = await waitForJob(timeout);
      return marker === null || !(marker.score > 0) ? marker : { ...marker, score: toOwnTime(clock, marker.score) };
    };
    return backend;
  };
}

/** A time of Redis' as BullMQ reckons with it. */
export function toOwnTime(clock: RedisClock, redisMs: number): number {
  return redisMs - clock.now() + Date.now();
}

function ownTime(clock: RedisClock, next: unknown[]): unknown[] {
  const until = Number(next?.[DELAYED_UNTIL]);
  return until > 0 ? next.with(DELAYED_UNTIL, toOwnTime(clock, until)) : next;
}
