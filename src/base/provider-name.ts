/** The providers that we call. The word stands in the names of operations, queues and settings. */
export const PROVIDERS = ["eko", "deepvue"] as const;
export type ProviderName = (typeof PROVIDERS)[number];
