/** Where a process may be killed by the chaos harness, to prove that it may be killed anywhere. */
export type FailPoint = "begun" | "signed" | "replied" | "finished";
