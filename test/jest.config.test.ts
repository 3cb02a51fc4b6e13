describe('a run of the tests', () => {
  // With it, V8 keeps the modules of each test file, 10 MB, for the files to come, which never use them. After a hundred files,
  // a garbage collection takes a second. No setting of Jest turns it off, only the command line in package.json.
  test('keeps no compiled code of finished test files', () => {
    expect(process.execArgv).toContain('--no-compilation-cache');
  });

  test('keeps the compiled code of programs that tests start', () => {
    expect(process.env['NODE_COMPILE_CACHE']).toBeTruthy();
  });
});
