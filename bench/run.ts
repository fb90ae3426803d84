// `npm run bench`, or with a name first one of the others: `npm run bench -- batch`.
const OTHERS = new Set(["batch", "quota"]);

const [, , name = ""] = process.argv;
if (OTHERS.has(name)) process.argv.splice(2, 1);
await import(OTHERS.has(name) ? `./${name}.ts` : "./main.ts");
