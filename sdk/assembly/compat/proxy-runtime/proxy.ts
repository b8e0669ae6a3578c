// `export * from "@solo-io/proxy-runtime/proxy"` is what the old package asked of a filter's file, to export the callbacks.
// Here the build exports those that the filter needs; the line is allowed and means nothing.

export * from './malloc'
export * from './exports'
