import { render } from 'preact';
import { parseRecordingPath } from '../paths.ts';
import { RecordingPage } from './recording-page.tsx';

const root = document.getElementById('app');
if (root) render(<RecordingPage id={parseRecordingPath(location.pathname) ?? ''} />, root);
