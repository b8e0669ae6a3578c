// What `meshscript build` defines (for editors; asc does not read this file).
/** Defined in debug builds. */
declare const MESHSCRIPT_DEBUG: i32
/** Defined where a module has several filters. */
declare const MESHSCRIPT_BUNDLE: i32
/** Collects garbage; part of AssemblyScript's runtime. */
declare function __collect(): void
/** Shows the collector a reference; part of AssemblyScript's runtime. */
declare function __visit(reference: usize, cookie: u32): void
/** Bytes on the managed heap, garbage included; added to the runtime by the build's transform. */
declare function __managed_bytes(): usize
