/** Multiplication in the dihedral group D5: `PRODUCT[a][b]`. */
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
];

/** How a digit is permuted by its place from the right, which repeats after eight: `PERMUTATION[place][digit]`. */
const PERMUTATION = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

/**
 * Whether the last digit fits the others: it catches every wrong digit and every two neighbours that changed places.
 * An Aadhaar number ends in such a digit (facts/deepvue §5.2); that it fits proves form only. False for anything but digits.
 */
export function isVerhoeffValid(digits: string): boolean {
  if (!/^\d+$/.test(digits)) return false;
  let check = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const permuted = Number(PERMUTATION[place % 8]?.[digit]);
    check = Number(PRODUCT[check]?.[permuted]);
  }
  return check === 0;
}
