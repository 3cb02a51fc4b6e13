import { writeFileSync } from 'node:fs';
import { clientFile, generateClient } from './api-client.ts';

/** `npm run api:client`: makes the client anew. A test fails when it is stale. */
writeFileSync(clientFile, await generateClient());
console.log(clientFile);
