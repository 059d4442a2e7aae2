import Glibc
public import SystemPackage

/// Names in a folder.
public struct FolderNames: Sendable {
    /// The names, sorted by their bytes, without `.` and `..`.
    public private(set) var names: [String] = []
    /// Names that are no UTF-8 text, as far as they are: a path with one leads nowhere.
    public private(set) var unusable: [String] = []
    /// Whether there are more names than were asked for.
    public private(set) var isCut = false

    /// The names in a folder, at most `limit` of them.
    public init(_ folder: String, limit: Int = .max) throws(Errno) {
        guard let stream = opendir(folder) else { throw Errno(rawValue: errno) }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Errno(rawValue: errno) }
                break
            }
            guard names.count + unusable.count < limit else {
                isCut = true
                break
            }
            let (name, isText) = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                let bytes = bytes.prefix { $0 != 0 }
                let name = String(decoding: bytes, as: UTF8.self)
                return (name, name.utf8.elementsEqual(bytes))
            }
            guard name != ".", name != ".." else { continue }
            if isText { names.append(name) } else { unusable.append(name) }
        }
        names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        unusable.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The names in a folder that are text, sorted by their bytes, without `.` and `..`.
    public static func read(_ folder: String) throws(Errno) -> [String] { try FolderNames(folder).names }
}
