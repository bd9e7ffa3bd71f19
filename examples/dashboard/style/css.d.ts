/** Style sheets are imported for the bundler, which gathers them in a file of their own. */
declare module "*.css";
