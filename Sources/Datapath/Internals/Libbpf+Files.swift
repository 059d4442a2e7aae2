import CLibBPF
import Glibc
import Support
import SystemPackage

/// Pins, and the file system that holds them.
extension Libbpf {
    static func pin(_ fd: Int32, _ name: String, at path: String) throws(BPFError) {
        try call(.pin, "\(name) at \(path)") { bpf_obj_pin(fd, path) }
    }

    /// The object pinned at a path; `nil` when nothing is.
    static func openPin(_ path: String) throws(BPFError) -> OwnedDescriptor? {
        switch attempt(.openPin, { bpf_obj_get(path) }) {
        case .success(let fd): return OwnedDescriptor(fd)
        case .failure(Errno(rawValue: ENOENT)): return nil
        case .failure(let code): throw BPFError(.openPin, path, errno: code.rawValue)
        }
    }

    /// Removes a pin; whether there was one.
    @discardableResult
    static func unpin(_ path: String) throws(BPFError) -> Bool {
        switch attempt(.unpin, { unlink(path) }) {
        case .success: return true
        case .failure(Errno(rawValue: ENOENT)): return false
        case .failure(let code): throw BPFError(.unpin, path, errno: code.rawValue)
        }
    }

    /// Whether a path lies on a bpffs.
    static func isBPFFilesystem(_ path: String) -> Bool {
        // BPF_FS_MAGIC of linux/magic.h.
        np_filesystem_type(path) == 0xcafe_4a11
    }

    static func mountBPFFilesystem(at path: String) throws(BPFError) {
        try call(.mountFilesystem, path) { mount("bpffs", path, "bpf", 0, "mode=0700") }
    }

    /// Makes a folder only root can enter; one that is there already is fine.
    static func createFolder(_ path: String) throws(BPFError) {
        if case .failure(let code) = attempt(.createFolder, { mkdir(path, 0o700) }), code.rawValue != EEXIST {
            throw BPFError(.createFolder, path, errno: code.rawValue)
        }
    }

    /// The names in a folder, sorted; none for a folder that is not there.
    static func names(in folder: String) throws(BPFError) -> [String] {
        do throws(SystemPackage.Errno) {
            return try FolderNames.read(folder)
        } catch {
            if error == .noSuchFileOrDirectory { return [] }
            throw BPFError(.openPin, folder, errno: error.rawValue)
        }
    }

    static func removeFolder(_ path: String) throws(BPFError) {
        if case .failure(let code) = attempt(.unpin, { rmdir(path) }), code.rawValue != ENOENT {
            throw BPFError(.unpin, path, errno: code.rawValue)
        }
    }

    /// Holds a folder for this process until the descriptor is closed (or the process killed).
    static func lock(folder: String) throws(BPFError) -> OwnedDescriptor {
        let descriptor = OwnedDescriptor(
            try call(.lockInstance, folder) { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        let fd = descriptor.rawValue
        try call(.lockInstance, folder, detail: "another process is using this instance") {
            flock(fd, LOCK_EX | LOCK_NB)
        }
        return descriptor
    }
}
