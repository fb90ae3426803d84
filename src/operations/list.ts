// The catalogue: one line per operation, which is one file. Adding one is adding both.
export { deepvueAadhaarOtp } from "./deepvue.aadhaar-otp.ts";
export { deepvueAadhaarOtpVerify } from "./deepvue.aadhaar-otp.verify.ts";
export { ekoAepsFingpayEkycOtp } from "./eko.aeps-fingpay.ekyc-otp.ts";
export { ekoAepsFingpayEkycOtpVerify } from "./eko.aeps-fingpay.ekyc-otp.verify.ts";
export { ekoDmtLevinAadhaarOtp } from "./eko.dmt-levin.aadhaar-otp.ts";
export { ekoDmtLevinAadhaarOtpVerify } from "./eko.dmt-levin.aadhaar-otp.verify.ts";
export { ekoDmtLevinSender } from "./eko.dmt-levin.sender.ts";
export { ekoDmtLevinSenderCreate } from "./eko.dmt-levin.sender.create.ts";
export { ekoMobileOtp } from "./eko.mobile-otp.ts";
export { ekoMobileOtpVerify } from "./eko.mobile-otp.verify.ts";
