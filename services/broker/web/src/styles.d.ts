/** Style sheets that a module brings along; Vite makes files of them. */
declare module '*.css';
