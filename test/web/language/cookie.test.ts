import { cookieText } from '../../../services/broker/web/src/language/choose-language.ts';

test.each([
  [
    { basePath: '/', secure: true, framed: false },
    'porthole-language=pl; Path=/; Max-Age=31536000; SameSite=Lax; Secure',
  ],
  [
    { basePath: '/consoles/', secure: true, framed: true },
    'porthole-language=pl; Path=/consoles/; Max-Age=31536000; SameSite=None; Partitioned; Secure',
  ],
  [
    { basePath: '/', secure: false, framed: true },
    'porthole-language=pl; Path=/; Max-Age=31536000; SameSite=Lax',
  ],
])(
  'the choice is kept for the pages below the base path, in a frame of another site too: %j',
  (page, cookie) => {
    expect(cookieText('pl', page)).toBe(cookie);
  },
);
