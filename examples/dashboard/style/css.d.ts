/** The bundler collects the imported style sheets in one file. */
declare module "*.css";
