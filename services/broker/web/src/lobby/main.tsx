import { render } from 'preact';
import { startLanguage } from '../language/current-language.ts';
import { App } from './app.tsx';

const root = document.getElementById('app');
await startLanguage();
if (root) render(<App />, root);
