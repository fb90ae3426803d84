import type { OutboxMessage } from "../simulator/outbox.ts";
import type { Simulator } from "../simulator/simulator.ts";
import type { SendName, Sender } from "./senders.ts";

/** The senders' phones: reads codes from the simulator's outbox, as a person reads an SMS. */
export class Phone {
  readonly #simulator: Simulator;

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
  }

  /** The newest code that `operation` sent to this person. Throws where none came. */
  read(operation: SendName, sender: Sender): string {
    const message = this.#simulator.outbox.findLast(
      (sent: OutboxMessage) => sent.operation === operation && [sender.mobile, sender.aadhaar].includes(sent.to),
    );
    if (message === undefined) throw new Error(`no ${operation} code came for sender ${sender.index + 1}`);
    return message.otp;
  }

  /** The code with its last digit mistyped. */
  misread(operation: SendName, sender: Sender): string {
    const otp = this.read(operation, sender);
    return `${otp.slice(0, -1)}${(Number(otp.at(-1)) + 1) % 10}`;
  }
}
