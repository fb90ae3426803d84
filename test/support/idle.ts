// A process that is there until its standard input ends.
process.stdout.write("here\n");
process.stdin.resume();
