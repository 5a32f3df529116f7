/** Files that are put beside the page; importing one gives its address. */
declare module "*.wasm" {
  const address: string;
  export default address;
}

declare module "*.so" {
  const address: string;
  export default address;
}
