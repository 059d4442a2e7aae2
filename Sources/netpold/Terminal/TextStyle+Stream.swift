import Glibc
import Support

extension TextStyle {
    /// The style for a stream of this process: colours if it is a terminal and `NO_COLOR` is not set.
    init(descriptor: Int32 = STDOUT_FILENO) {
        self.init(isColoured: isatty(descriptor) == 1 && getenv("NO_COLOR") == nil)
    }
}
