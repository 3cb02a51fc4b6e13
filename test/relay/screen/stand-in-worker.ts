import { parentPort } from 'node:worker_threads';
import { servePictures, type RelayPort } from '@porthole/relay/screen/serve-pictures';
import { createStandInServer } from './stand-in-server.ts';

servePictures(parentPort as RelayPort, createStandInServer);
