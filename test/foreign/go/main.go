// A filter without an SDK, built as a WASI reactor: GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared.
//
// It adds request header x-go with what environment variable GREETING and its configuration say, and logs by standard
// output, by standard error and by proxy_log. Path /now is answered here, with the time and with bytes that are random.
package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"time"
	"unsafe"
)

const (
	requestHeaders      = 0
	pluginConfiguration = 7
	logWarn             = 3
)

//go:wasmimport env proxy_log
func proxyLog(level uint32, data unsafe.Pointer, size uint32) uint32

//go:wasmimport env proxy_get_buffer_bytes
func proxyGetBufferBytes(kind, start, max uint32, data, size unsafe.Pointer) uint32

//go:wasmimport env proxy_get_header_map_value
func proxyGetHeaderMapValue(kind uint32, key unsafe.Pointer, keySize uint32, data, size unsafe.Pointer) uint32

//go:wasmimport env proxy_add_header_map_value
func proxyAddHeaderMapValue(kind uint32, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) uint32

//go:wasmimport env proxy_send_local_response
func proxySendLocalResponse(status uint32, details unsafe.Pointer, detailsSize uint32, body unsafe.Pointer, bodySize uint32, headers unsafe.Pointer, headersSize uint32, grpcStatus int32) uint32

var (
	configuration string
	// What the host asked for and nobody has taken yet: the collector must not take it either.
	allocated = map[uintptr][]byte{}
	// A pointer that Go has is 64 bits wide, one that the host writes 32.
	outData, outSize uint32
)

//go:wasmexport proxy_abi_version_0_2_1
func abiVersion() {}

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) unsafe.Pointer {
	bytes := make([]byte, size)
	pointer := unsafe.Pointer(unsafe.SliceData(bytes))
	allocated[uintptr(pointer)] = bytes
	return pointer
}

//go:wasmexport proxy_on_configure
func onConfigure(_, _ uint32) uint32 {
	if proxyGetBufferBytes(pluginConfiguration, 0, 1<<20, unsafe.Pointer(&outData), unsafe.Pointer(&outSize)) == 0 {
		configuration = take()
	}
	fmt.Println("configured with", configuration)
	return 1
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(_, count, _ uint32) uint32 {
	path := header(":path")
	warning := fmt.Sprintf("%d headers for %s", count, path)
	proxyLog(logWarn, pointer(warning), uint32(len(warning)))
	if path == "/now" {
		var random [8]byte
		if _, err := rand.Read(random[:]); err != nil {
			fmt.Fprintln(os.Stderr, "no random bytes:", err)
		}
		answer := fmt.Sprintf("%d %d", time.Now().Unix(), binary.LittleEndian.Uint64(random[:]))
		proxySendLocalResponse(200, nil, 0, pointer(answer), uint32(len(answer)), nil, 0, -1)
		return 1
	}
	name, value := "x-go", os.Getenv("GREETING")+" "+configuration
	proxyAddHeaderMapValue(requestHeaders, pointer(name), uint32(len(name)), pointer(value), uint32(len(value)))
	return 0
}

func header(name string) string {
	if proxyGetHeaderMapValue(requestHeaders, pointer(name), uint32(len(name)), unsafe.Pointer(&outData), unsafe.Pointer(&outSize)) != 0 {
		return ""
	}
	return take()
}

func take() string {
	bytes := allocated[uintptr(outData)]
	delete(allocated, uintptr(outData))
	return string(bytes[:outSize])
}

func pointer(text string) unsafe.Pointer {
	return unsafe.Pointer(unsafe.StringData(text))
}

func main() {}
