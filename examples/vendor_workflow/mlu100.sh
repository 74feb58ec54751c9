#!/bin/sh
# The MLU100 generation's workflow: FP16 and INT8 offline models, classified on many cores, and the time of every layer.
#
#   sh mlu100.sh NET.prototxt NET.caffemodel LIST LABELS FOLDER
#
# LIST has lines "path label", LABELS a class a line. Everything is written into FOLDER. Means are those of ImageNet in BGR.
set -eu
net=$1 weights=$2 list=$3 labels=$4 folder=$5
mean=104,117,123
mkdir -p "$folder"
"${PYTHON:-python3}" -m pycaffe_acc shims "$folder/bin"
PATH=$folder/bin:$PATH

# a prototxt for every batch size: here the first extent, the batch, becomes 1
awk '!done && sub(/dim: *[0-9]+/, "dim: 1") { done = 1 } { print }' "$net" > "$folder/net_float16_dense_1batch.prototxt"

echo "== FP16"
caffe genoff -model "$folder/net_float16_dense_1batch.prototxt" -weights "$weights" -mcore MLU100 -model_parallel 1 -mname "$folder/float16"
clas_offline_multicore -offlinemodel "$folder/float16.cambricon" -images "$list" -labels "$labels" -threads 4 -dataparallel 8 -fifosize 4 \
    -meanvalue $mean

echo "== INT8"
cat > "$folder/convert_int8.ini" << END
[model]
original_models_path = $folder/net_float16_dense_1batch.prototxt
save_model_path = $folder/net_int8.prototxt
[data]
images_folder_path = $list
used_images_num = 4
[weights]
original_weights_path = $weights
[preprocess]
mean = $mean
std = 1.0
scale = 227, 227
[config]
use_firstconv = 1
END
generate_int8_pt -ini_file "$folder/convert_int8.ini"
caffe genoff -model "$folder/net_int8.prototxt" -weights "$weights" -mcore MLU100 -mname "$folder/int8"
# mean and scale are in the first convolution now: -int8 1 passes pixels as they are
clas_offline_multicore -offlinemodel "$folder/int8.cambricon" -images "$list" -labels "$labels" -threads 4 -dataparallel 8 -int8 1

echo "== online, and layer by layer"
awk '!done && sub(/dim: *[0-9]+/, "dim: 8") { done = 1 } { print }' "$net" > "$folder/net_8batch.prototxt"
clas_online_multicore -model "$folder/net_8batch.prototxt" -weights "$weights" -mmode MFUS -mcore MLU100 -dataparallel 8 -modelparallel 1 \
    -threads 2 -images "$list" -labels "$labels" -meanvalue $mean
caffe test -model "$folder/net_float16_dense_1batch.prototxt" -weights "$weights" -mmode MLU -mcore MLU100 -iterations 1 2>&1 | grep "hardware time:"
