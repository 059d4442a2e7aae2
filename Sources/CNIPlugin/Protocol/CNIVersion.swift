/// The versions of the CNI specification that the plugin speaks. Its results are those of the plugins before it, unchanged.
public enum CNIVersion {
    /// Oldest first.
    public static let supported = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
    /// The newest.
    public static let newest = "1.1.0"

    /// What VERSION prints.
    public static var list: [UInt8] {
        let list = supported.map { "\"\($0)\"" }.joined(separator: ",")
        return Array("{\"cniVersion\":\"\(newest)\",\"supportedVersions\":[\(list)]}\n".utf8)
    }
}
