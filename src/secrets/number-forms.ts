/** Without its check digit, which is the caller's to ask for. */
export const AADHAAR_FORM = /^[2-9]\d{11}$/;

/** Of India, without the country's code. */
export const MOBILE_FORM = /^[6-9]\d{9}$/;

/**
 * Ten digits and more, also in groups and in any script: as long as a mobile number, an Aadhaar number, or an account. What is kept or
 * shown in clear has none.
 */
export const LONG_NUMBER = /\p{Nd}(?:[\s-]?\p{Nd}){9}/u;
