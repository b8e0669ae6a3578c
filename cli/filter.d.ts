/** Path of the built module of the filter. */
declare module '*?filter' {
  const path: string
  export default path
}
