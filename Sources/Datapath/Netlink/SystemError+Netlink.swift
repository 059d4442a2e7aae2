import CLibNL
import Support

extension SystemError {
    /// What libnl answered, negative as it returns it or positive. Its numbers (`NLE_...`) are no errnos: the sentence is kept.
    init(_ operation: String, _ object: String, netlink code: Int32) {
        self.init(
            operation, object, nil, detail: nl_geterror(code).map { String(cString: $0) } ?? "error \(code)")
    }
}
