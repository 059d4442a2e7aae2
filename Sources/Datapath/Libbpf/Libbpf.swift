import CLibBPF
import Glibc
import SystemPackage

/// The one place where C is called: every other file of the module goes through the functions in this folder.
///
/// Each of them retries when a signal interrupted the call and turns a failure into a `BPFError`. libbpf says nothing by
/// itself: what its log would say is in the error.
enum Libbpf {
    /// libbpf prints to stderr by default; the first call through `Libbpf` turns that off.
    private static let silenced: Void = { _ = libbpf_set_print(nil) }()

    /// Calls a function that answers a negative errno when it fails.
    @discardableResult
    static func call(
        _ operation: BPFOperation, _ object: @autoclosure () -> String, detail: @autoclosure () -> String? = nil,
        _ body: () -> Int32
    ) throws(BPFError) -> Int32 {
        switch attempt(operation, body) {
        case .success(let value): return value
        case .failure(let code): throw BPFError(operation, object(), errno: code, detail: detail())
        }
    }

    /// As `call`, for callers to whom some errnos are answers.
    static func attempt(_ operation: BPFOperation, _ body: () -> Int32) -> Result<Int32, Errno> {
        _ = silenced
        #if DEBUG
            if let injected = InjectedFault.current?.next(operation) { return .failure(injected) }
        #endif
        while true {
            let result = body()
            if result >= 0 { return .success(result) }
            // libbpf 1.x returns -errno; plain libc functions return -1 and set errno.
            let code = Errno(rawValue: result == -1 && errno != 0 ? errno : -result)
            if code != .interrupted { return .failure(code) }
        }
    }

    /// What `sz` of one of libbpf's option structs must say: the bytes up to the end of its last field.
    ///
    /// Not the size of the struct: libbpf insists that what follows the fields it knows is zero, and Swift leaves padding
    /// at the end as it finds it.
    static func optionsSize<Options, Field>(_ last: KeyPath<Options, Field>) -> Int {
        guard let offset = MemoryLayout<Options>.offset(of: last) else { return MemoryLayout<Options>.size }
        return offset + MemoryLayout<Field>.size
    }

    /// Calls a function that answers `NULL` and sets errno when it fails.
    static func pointer(
        _ operation: BPFOperation, _ object: @autoclosure () -> String, _ body: () -> OpaquePointer?
    ) throws(BPFError) -> OpaquePointer {
        _ = silenced
        #if DEBUG
            if let injected = InjectedFault.current?.next(operation) {
                throw BPFError(operation, object(), errno: injected)
            }
        #endif
        while true {
            if let pointer = body() { return pointer }
            let code = Errno.current
            if code != .interrupted { throw BPFError(operation, object(), errno: code) }
        }
    }
}
