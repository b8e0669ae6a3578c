// What `meshscript build` defines (for editors; asc does not read this file).
/** Defined in debug builds. */
declare const MESHSCRIPT_DEBUG: i32
/** Bytes on the managed heap, garbage included; added to the runtime by the build's transform. */
declare function __managed_bytes(): usize
