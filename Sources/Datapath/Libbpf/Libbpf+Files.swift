import CLibBPF
import Glibc
import Support
import SystemPackage

/// Pins, and the file system that holds them.
extension Libbpf {
    static func pin(_ fd: Int32, _ name: String, at path: String) throws(BPFError) {
        try call(.pin, "\(name) at \(path)") { bpf_obj_pin(fd, path) }
    }

    /// Gives a pin another name, in one step, in place of the one that has it.
    static func movePin(_ path: String, to target: String) throws(BPFError) {
        try call(.pin, target) { rename(path, target) }
    }

    /// Whether there is a file or folder of this name.
    static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The object pinned at a path; `nil` when nothing is.
    static func openPin(_ path: String) throws(BPFError) -> OwnedDescriptor? {
        switch attempt(.openPin, { bpf_obj_get(path) }) {
        case .success(let fd): return OwnedDescriptor(rawValue: fd)
        case .failure(.noSuchFileOrDirectory): return nil
        case .failure(let code): throw BPFError(.openPin, path, errno: code)
        }
    }

    /// Removes a pin; whether there was one.
    @discardableResult
    static func unpin(_ path: String) throws(BPFError) -> Bool {
        switch attempt(.unpin, { unlink(path) }) {
        case .success: return true
        case .failure(.noSuchFileOrDirectory): return false
        case .failure(let code): throw BPFError(.unpin, path, errno: code)
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
        if case .failure(let code) = attempt(.createFolder, { mkdir(path, 0o700) }), code != .fileExists {
            throw BPFError(.createFolder, path, errno: code)
        }
    }

    /// The names in a folder, sorted; none for a folder that is not there.
    static func names(in folder: String) throws(BPFError) -> [String] {
        do throws(Errno) {
            return try FolderNames.read(folder)
        } catch {
            if error == .noSuchFileOrDirectory { return [] }
            throw BPFError(.openPin, folder, errno: error)
        }
    }

    static func removeFolder(_ path: String) throws(BPFError) {
        if case .failure(let code) = attempt(.unpin, { rmdir(path) }), code != .noSuchFileOrDirectory {
            throw BPFError(.unpin, path, errno: code)
        }
    }

    /// Holds a folder for this process until the lock goes (or the process is killed).
    static func lock(folder: String) throws(BPFError) -> FileLock {
        do throws(SystemError) {
            return try FileLock(folder, isFolder: true)
        } catch {
            throw BPFError(
                .lockInstance, folder, errno: error.errno ?? .ioError,
                detail: error.errno == .wouldBlock ? "another process is using this instance" : nil)
        }
    }

    /// A second descriptor of the same object, so that lifetimes are independent.
    static func duplicate(_ fd: Int32, _ object: String) throws(BPFError) -> OwnedDescriptor {
        OwnedDescriptor(rawValue: try call(.queryInfo, object) { fcntl(fd, F_DUPFD_CLOEXEC, 3) })
    }
}
