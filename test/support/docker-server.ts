import { getuid, getgid } from "node:process";
import { Redis } from "ioredis";
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import { freePort } from "./free-port.ts";
import { TEST_REDIS_ARGS, type TestServer } from "./test-server.ts";

/** A Redis of an image, with its data in a folder of this machine. */
export class DockerServer implements TestServer {
  readonly url: string;
  readonly #blueprint: GenericContainer;
  #container: StartedTestContainer | null = null;

  private constructor(blueprint: GenericContainer, port: number) {
    this.#blueprint = blueprint;
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Null, and a word about it: no engine answers. */
  static async create(dir: string, image: string): Promise<DockerServer | null> {
    try {
      await getContainerRuntimeClient();
    } catch {
      process.stderr.write("TEST_REDIS=docker, but no engine answers: the tests' Redis is this machine's own\n");
      return null;
    }
    // A port that Docker chooses would be another one after a restart.
    const port = await freePort();
    const blueprint = new GenericContainer(image)
      .withExposedPorts({ container: 6379, host: port })
      .withBindMounts([{ source: dir, target: "/data" }])
      // So that this user can read and remove what it writes.
      .withUser(`${getuid?.() ?? 0}:${getgid?.() ?? 0}`)
      .withCommand(["redis-server", "--protected-mode", "no", "--dir", "/data", ...TEST_REDIS_ARGS])
      .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/i));
    return new DockerServer(blueprint, port);
  }

  async start(): Promise<void> {
    if (this.#container === null) {
      this.#container = await this.#blueprint.start();
      return;
    }
    const { container: client } = await getContainerRuntimeClient();
    await client.getById(this.#container.getId()).start();
    await this.#answers();
  }

  async end(how: "shutdown" | "kill"): Promise<void> {
    if (this.#container === null) return;
    const { container: client } = await getContainerRuntimeClient();
    const container = client.getById(this.#container.getId());
    const { State: state } = await container.inspect();
    if (!state.Running) return;
    await container.kill({ signal: how === "kill" ? "SIGKILL" : "SIGTERM" });
    await container.wait();
  }

  async remove(): Promise<void> {
    await this.#container?.stop();
    this.#container = null;
  }

  /** The log of a container that is started again still has the line of its first start. */
  async #answers(): Promise<void> {
    const redis = new Redis(this.url, { maxRetriesPerRequest: null, retryStrategy: () => 20, socketTimeout: 500 });
    redis.on("error", () => {});
    await redis.ping();
    redis.disconnect();
  }
}
