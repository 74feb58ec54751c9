#!/bin/sh
# The MLU270 generation's workflow: an INT8 offline model with batch and cores chosen at compile time.
#
#   sh mlu270.sh NET.prototxt NET.caffemodel LIST LABELS FOLDER
#
# LIST has lines "path label", LABELS a class a line. Everything is written into FOLDER. Means are those of ImageNet in BGR.
set -eu
net=$1 weights=$2 list=$3 labels=$4 folder=$5
mkdir -p "$folder"
"${PYTHON:-python3}" -m pycaffe_acc shims "$folder/bin"
PATH=$folder/bin:$PATH

awk '!done && sub(/dim: *[0-9]+/, "dim: 1") { done = 1 } { print }' "$net" > "$folder/net_1batch.prototxt"
cat > "$folder/convert_quantized.ini" << END
[model]
original_models_path = $folder/net_1batch.prototxt
save_model_path = $folder/net_int8.prototxt
[data]
images_list_path = $list
used_images_num = 4
[weights]
original_weights_path = $weights
[preprocess]
mean = 104, 117, 123
std = 1.0
scale = 227, 227
[config]
use_firstconv = 1
END
generate_quantized_pt -ini_file "$folder/convert_quantized.ini" -blobs_dtype INT8 -top_dtype FLOAT16
caffe genoff -model "$folder/net_int8.prototxt" -weights "$weights" -mcore MLU270 -simple_compile 1 -batchsize 4 -core_number 16 \
    -mname "$folder/int8_MLU270_4batch_16core"
clas_offline_multicore -offlinemodel "$folder/int8_MLU270_4batch_16core.cambricon" -images "$list" -labels "$labels" -threads 2 \
    -preprocess_option 1 -simple_compile 1
