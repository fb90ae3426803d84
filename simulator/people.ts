/**
 * Made-up numbers for fixtures, demos and benchmarks. The Verhoeff check is written here a second time on purpose: the
 * simulator is a witness independent of `src`.
 */
const PRODUCT = [
  "0123456789",
  "1234067895",
  "2340178956",
  "3401289567",
  "4012395678",
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
].map((row) => Array.from(row, Number));
const SHIFT = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
].map((row) => Array.from(row, Number));

/** The running sum over `digits`, the last of which stands at `position` from the right (0 = check digit). */
function verhoeffSum(digits: string, position: number): number {
  let sum = 0;
  for (let index = digits.length - 1, place = position; index >= 0; index -= 1, place += 1) {
    const shifted = SHIFT[place % 8]?.[Number(digits[index])] ?? Number.NaN;
    sum = PRODUCT[sum]?.[shifted] ?? Number.NaN;
  }
  return sum;
}

/** The digit that makes `digits` pass the Verhoeff check when it is put behind them. */
export function verhoeffDigit(digits: string): string {
  const sum = verhoeffSum(digits, 1);
  const check = PRODUCT[sum]?.indexOf(0) ?? -1;
  if (check === -1) throw new RangeError("verhoeffDigit takes decimal digits only");
  return String(check);
}

/** True for 12 digits, the first 2–9, with a correct check digit (facts/deepvue §5.2). */
export function isAadhaarNumber(text: string): boolean {
  return /^[2-9]\d{11}$/.test(text) && verhoeffSum(text, 0) === 0;
}

/** Coprime to every power of ten: neighbouring indexes give numbers that look unrelated, and none twice. */
const SCATTER = 7_368_787;

function scattered(index: number, size: number, ending: string): number {
  if (!Number.isInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`index must be an integer from 0 to ${size - 1} with the ending "${ending}"`);
  }
  return (index * SCATTER) % size;
}

function checkEnding(ending: string): void {
  if (!/^\d{1,6}$/.test(ending)) throw new RangeError("ending must be 1 to 6 digits");
}

/**
 * An invented Aadhaar number that ends with `ending` (1–6 digits, default `000`: no fault, see `endings.ts`) and passes
 * every check. Each index from 0 gives another number; 80 million of them with a three-digit ending.
 */
export function madeUpAadhaar(index: number, ending = "000"): string {
  checkEnding(ending);
  const digits = 11 - ending.length; // before them nothing, after them the digit that puts the checksum right
  const size = 8 * 10 ** (digits - 1);
  const head = String(size / 4 + scattered(index, size, ending));
  for (let digit = 0; digit < 10; digit += 1) {
    const number = `${head}${digit}${ending}`;
    if (isAadhaarNumber(number)) return number;
  }
  throw new RangeError("no digit puts the checksum right"); // cannot be: Verhoeff is a bijection in every digit
}

/** An invented mobile number (10 digits, first 6–9) that ends with `ending` (1–6 digits, default `000`). */
export function madeUpMobile(index: number, ending = "000"): string {
  checkEnding(ending);
  const size = 4 * 10 ** (9 - ending.length);
  return `${String(size * 1.5 + scattered(index, size, ending))}${ending}`;
}
