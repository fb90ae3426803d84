/** An id of a job, a batch or an onboarding: it stands in keys of Redis and in names of entries as it is. */
export const ID_FORM = /^[A-Za-z0-9._-]{1,64}$/;
