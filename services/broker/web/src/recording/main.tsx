import { render } from 'preact';
import { startLanguage } from '../language/current-language.ts';
import { parseRecordingPath } from '../paths.ts';
import { RecordingPage } from './recording-page.tsx';

const root = document.getElementById('app');
await startLanguage();
if (root) render(<RecordingPage id={parseRecordingPath(location.pathname) ?? ''} />, root);
