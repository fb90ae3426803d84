// One line per flow, which is one file. Adding one is adding both.
export { deepvueAadhaar } from "./deepvue.aadhaar.ts";
export { ekoAepsFingpay } from "./eko.aeps-fingpay.ts";
export { ekoDmtLevin } from "./eko.dmt-levin.ts";
export { ekoMobile } from "./eko.mobile.ts";
